_base_ = ['../_base_/models/gan.py', '../_base_/nr_gan_folder.py']

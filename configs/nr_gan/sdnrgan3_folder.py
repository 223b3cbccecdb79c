_base_ = ['../_base_/models/sdnrgan3.py', '../_base_/nr_gan_folder.py']

_base_ = ['../_base_/models/sdnrgan2.py', '../_base_/nr_gan_folder.py']

# 70 % of the labels become one of all ten classes; known=True tells the model.
label_noise = dict(transition=dict(name='symmetric', rate=0.7), seed=12345, known=False)

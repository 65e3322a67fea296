def check_image(number, seed): raise NotImplementedError

// ends before anything of anybody's has begun

// flags: --unhandled-rejections=strict
Promise.reject(new Error('strict'));

console.log(require('node:path').basename(__filename), module.children.length, Object.keys(require.cache).length > 0);

const { PerformanceObserver, performance } = require('node:perf_hooks');
new PerformanceObserver((list) => console.log(list.getEntries().map(({ name }) => name).join())).observe({ entryTypes: ['mark', 'measure'] });
performance.mark('one');
performance.measure('two', 'one');
setTimeout(() => {}, 20);

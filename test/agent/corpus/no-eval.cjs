// flags: --disallow-code-generation-from-strings
try { eval('1'); } catch (error) { console.log(error.name); }

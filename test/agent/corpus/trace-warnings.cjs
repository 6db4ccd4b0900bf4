process.emitWarning('mine', 'OwnWarning', 'OWN1');
process.emitWarning('mine', 'DeprecationWarning', 'OWN2');

import { tracingCommand } from '../capture-command.ts';

export const trace = tracingCommand('trace', [
  'trace pod/api-0',
  'trace pod/api-0 --duration 10s --categories v8,node.http',
  'trace pod/api-0 --output trace.json --no-prompt',
]);

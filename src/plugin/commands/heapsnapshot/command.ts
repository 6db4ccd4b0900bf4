import { savingCommand } from '../capture-command.ts';

export const heapsnapshot = savingCommand('heapsnapshot', [
  'heapsnapshot pod/api-0',
  'heapsnapshot pod/api-0 -c web --output snapshots/',
]);

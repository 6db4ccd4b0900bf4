import { savingCommand } from '../capture-command.ts';

export const report = savingCommand('report', ['report pod/api-0', 'report pod/api-0 --output - | jq .header']);

// Reads a request's commands as choices, once, for the audit log and for validation.
import type { Command, Commands } from '#proto/com/daml/ledger/api/v2/commands.js';
import { resolve, templates } from '../daml/packages.js';
import type { TransferChoice } from '../daml/transfer.js';
import { CallRefused, refuse } from '../errors.js';
import { readTransferChoice } from './decode-values.js';
import { check, contractIdString, missing } from './fields.js';
import type { Incoming } from './submission-call.js';
import { type ReadCommands, validateCommands } from './validate.js';

export function readCommands(commands: Commands | undefined): ReadCommands {
  try {
    return { choices: (commands?.commands ?? []).map(readCommand) };
  } catch (thrown) {
    if (thrown instanceof CallRefused) return { choices: [], refusal: thrown };
    throw thrown;
  }
}

/** Commands, in the form that all submissions take. */
export function incomingCommands(method: string, commands: Commands | undefined): Incoming {
  const read = readCommands(commands);
  return {
    method,
    commandId: commands?.commandId ?? '',
    submissionId: commands?.submissionId ?? '',
    userId: commands?.userId ?? '',
    actAs: commands?.actAs ?? [],
    readAs: commands?.readAs ?? [],
    choices: read.choices,
    validate: (around) => validateCommands(commands, read, around),
  };
}

function readCommand(command: Command): TransferChoice {
  if (command.command === 'none') return missing('command');
  const { exercise } = command;
  if (command.command !== 'exercise' || !exercise) {
    return refuse(
      'COMMAND_PREPROCESSING_FAILED',
      `The sandbox runs no ${command.command} commands, only exercise`,
    );
  }
  const target = resolve(exercise.templateId, { field: 'template_id', by: 'command' });
  const isFactory =
    target.kind === 'interface'
      ? target.interface === 'TransferFactory'
      : templates[target.template].implements.includes('TransferFactory');
  if (!exercise.choice) missing('choice');
  if (!isFactory || exercise.choice !== 'TransferFactory_Transfer') {
    refuse('COMMAND_PREPROCESSING_FAILED', `Command preprocessing failed: unknown choice ${exercise.choice}`);
  }
  check('contract_id', exercise.contractId || missing('contract_id'), contractIdString);
  return readTransferChoice(exercise.contractId, exercise.choiceArgument ?? missing('choice_argument'));
}

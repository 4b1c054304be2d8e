// The commands, in the order of the help. Only the requested one is loaded, because each brings its own libraries.
import type { Command } from 'commander';

export interface Listed {
  /** As the list of commands shows it; what the command's own help says stands with the command. */
  readonly summary: string;
  /** `program`: all of the command line, for the one that describes it. */
  load(program: () => Promise<Command>): Promise<Command>;
}

export const commands: Readonly<Record<string, Listed>> = {
  run: {
    summary: 'submit transfers until SIGTERM; any number of instances on one database',
    load: async () => (await import('./run.js')).runCommand(),
  },
  doctor: {
    summary: 'check the settings against database, participant and registries',
    load: async () => (await import('./doctor.js')).doctorCommand(),
  },
  migrate: {
    summary: 'prepare the database, and change what all instances must agree on',
    load: async () => (await import('./migrate.js')).migrateCommand(),
  },
  status: {
    summary: 'say whether a person is needed; show the queue, the instances, parked and failed rows',
    load: async () => (await import('./status.js')).statusCommand(),
  },
  show: {
    summary: "tell one row's story, and what comes next",
    load: async () => (await import('./show.js')).showCommand(),
  },
  replay: {
    summary: 'make waiting, retrying or parked rows due now',
    load: async () => (await import('./replay.js')).replayCommand(),
  },
  pause: {
    summary: 'keep every instance from claiming rows: all, of a token, of a sender',
    load: async () => (await import('./pause.js')).pauseCommand(),
  },
  resume: {
    summary: 'end a pause',
    load: async () => (await import('./pause.js')).resumeCommand(),
  },
  fail: {
    summary: 'fail a row for good, where nothing of it is under way',
    load: async () => (await import('./by-hand.js')).failCommand(),
  },
  park: {
    summary: 'set a row aside until replay',
    load: async () => (await import('./by-hand.js')).parkCommand(),
  },
  webhooks: {
    summary: 'list outcomes that were not delivered, deliver them again, or skip them',
    load: async () => (await import('./webhooks.js')).webhooksCommand(),
  },
  prune: {
    summary: 'delete old mined rows, old stories, or outcomes that everybody has',
    load: async () => (await import('./prune.js')).pruneCommand(),
  },
  enqueue: {
    summary: 'insert raw signed ERC-20 transfers, as eth_sendRawTransaction gets them',
    load: async () => (await import('./enqueue.js')).enqueueCommand(),
  },
  'import-config': {
    summary: "turn canton-middleware's configuration into ours",
    load: async () => (await import('./import-config.js')).importConfigCommand(),
  },
  sign: {
    summary: 'sign an ERC-20 transfer, as a wallet does, for `enqueue`',
    load: async () => (await import('./sign.js')).signCommand(),
  },
  sandbox: {
    summary: 'start a Canton participant to test against',
    load: async () => (await import('./sandbox.js')).sandboxCommand(),
  },
  demo: {
    summary: 'everything at once, with nothing installed',
    load: async () => (await import('./demo.js')).demoCommand(),
  },
  completion: {
    summary: 'complete commands and options in bash, zsh or fish',
    load: async (program) => (await import('./completion.js')).completionCommand(program),
  },
};

// The sandbox command as a process of its own, for tests that kill it.
import { sandboxCommand } from '../../src/cli/sandbox.js';

void sandboxCommand().parseAsync(process.argv);

// The same history for either way to submit: what differs between hosted and external parties must not show in it.
import test, { type ExecutionContext } from 'ava';
import { PARTIES, type Parties } from './world.js';

type History = (t: ExecutionContext, parties: Parties) => Promise<void>;

export function forBoth(title: string, history: History): void {
  for (const parties of PARTIES) test(`${title} (${parties})`, (t) => history(t, parties));
}

/** The same for one of them, where the other would only show it again. */
export function one(title: string, parties: Parties, history: History): void {
  test(`${title} (${parties})`, (t) => history(t, parties));
}

/** One at a time: its processes need the machine to themselves. */
forBoth.serial = (title: string, history: History): void => {
  for (const parties of PARTIES) test.serial(`${title} (${parties})`, (t) => history(t, parties));
};

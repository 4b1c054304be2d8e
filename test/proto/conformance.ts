// Compares our protos with the ledger's wire contract. Every difference is a line; the exceptions that
// we mean are lines too, so that a difference that goes away is noticed like one that comes.
import type { Contract, ContractField, OurProtos } from './descriptors.js';

function show(field: ContractField | undefined): string {
  if (!field) return 'nothing';
  const oneof = field.oneof ? ` in ${field.oneof}` : '';
  return `${field.optional ? 'optional ' : ''}${field.type} ${field.name}${oneof}`;
}

function* compareMessages(ours: OurProtos, contract: Contract): Generator<string> {
  for (const [name, message] of Object.entries(ours.messages)) {
    const wanted = contract.messages[name];
    if (!wanted) {
      yield `message ${name}: not in the contract`;
      continue;
    }
    const numbers = new Set([...Object.keys(wanted), ...Object.keys(message.fields)]);
    for (const number of [...numbers].sort((a, b) => Number(a) - Number(b))) {
      const [our, their] = [show(message.fields[number]), show(wanted[number])];
      if (our !== their) yield `${name} ${number}: ours ${our}, the contract's ${their}`;
    }
  }
}

function* compareEnums(ours: OurProtos, contract: Contract): Generator<string> {
  for (const [name, values] of Object.entries(ours.enums)) {
    const wanted = contract.enums[name];
    if (!wanted) {
      yield `enum ${name}: not in the contract`;
      continue;
    }
    for (const number of new Set([...Object.keys(wanted), ...Object.keys(values)])) {
      if (values[number] !== wanted[number]) {
        yield `${name} ${number}: ours ${values[number] ?? 'nothing'}, the contract's ${wanted[number] ?? 'nothing'}`;
      }
    }
  }
}

function* compareServices(ours: OurProtos, contract: Contract): Generator<string> {
  for (const [name, methods] of Object.entries(ours.services)) {
    const wanted = contract.services[name];
    if (!wanted) {
      yield `service ${name}: not in the contract`;
      continue;
    }
    for (const method of new Set([...Object.keys(wanted), ...Object.keys(methods)])) {
      const [our, their] = [methods[method], wanted[method]].map((m) =>
        m ? `${m.request} -> ${m.response}` : 'nothing',
      );
      if (our !== their) yield `${name}/${method}: ours ${our}, the contract's ${their}`;
    }
  }
}

/** What of ours is unlike the contract, or missing from a message, enum or service that we have. */
export function differences(ours: OurProtos, contract: Contract): string[] {
  return [
    ...compareServices(ours, contract),
    ...compareEnums(ours, contract),
    ...compareMessages(ours, contract),
  ].map((line) => line.replaceAll('com.daml.ledger.api.v2.', ''));
}

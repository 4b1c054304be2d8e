// Canton's errors on the wire: status message, details, redaction.
import test from 'ava';
import { errorCode, errorIds } from '../../src/sandbox/errors.js';
import { statusOf } from '../../src/sandbox/grpc/status.js';
import { toldBy } from './told.js';

const correlationId = '4a5b6c7d-0000';

for (const id of errorIds()) {
  test(`${id} is told as Canton tells it`, (t) => {
    const code = errorCode(id);
    const told = toldBy(statusOf({ id, cause: 'because', metadata: { extra: 'yes' } }, correlationId));
    t.is(told.code, code.grpc);
    t.is(told.requestId, correlationId);
    if (code.redacted) {
      t.is(told.errorInfo, undefined);
      t.false(told.message.includes('because'));
      return;
    }
    t.is(told.message, `${id}(${code.category},4a5b6c7d): because`);
    t.is(told.errorInfo?.reason, id);
    t.is(told.errorInfo?.domain, '');
    t.is(told.errorInfo?.metadata.get('category'), `${code.category}`);
    t.is(told.errorInfo?.metadata.get('definite_answer'), `${code.definite}`);
    t.is(told.errorInfo?.metadata.get('extra'), 'yes');
    t.is(told.retryMs, code.retryMs);
  });
}

test('retryable categories say when, the others do not', (t) => {
  const retries = errorIds().filter((id) => errorCode(id).retryMs !== undefined);
  t.true(retries.includes('LOCAL_VERDICT_LOCKED_CONTRACTS') && retries.includes('REQUEST_TIME_OUT'));
  t.false(retries.includes('DAML_FAILURE') || retries.includes('DUPLICATE_COMMAND'));
  t.is(errorCode('INTERPRETATION_TIME_EXCEEDED').retryMs, 60_000);
  t.false(errorCode('DUPLICATE_CONFIRMATION_REQUEST_UUID').redacted);
});

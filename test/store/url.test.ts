import test from 'ava';
import pg from 'pg';
import { parseDatabaseUrl } from '../../src/store/url.js';

/** Where the driver goes for each host of it. */
function places(url: string): readonly string[] | string {
  const parsed = parseDatabaseUrl(url);
  if ('problem' in parsed) return parsed.problem;
  return parsed.hosts.map((host) => {
    const {
      host: name,
      port,
      user,
      password,
      database,
    } = new pg.Client({ connectionString: parsed.of(host) });
    return `${user}:${password}@${name}:${port}/${database}`;
  });
}

test('hosts of a URL are read as libpq reads them', (t) => {
  t.deepEqual(places('postgres://u:p@h/db'), ['u:p@h:5432/db']);
  t.deepEqual(places('postgresql://u:p@a:1,b,[::1]:3/db'), ['u:p@a:1/db', 'u:p@b:5432/db', 'u:p@::1:3/db']);
  t.deepEqual(places('postgres://u:p@/db?host=a,b&port=1,2'), ['u:p@a:1/db', 'u:p@b:2/db']);
  t.deepEqual(places('postgres://u:p@/db?host=a,b&port=7'), ['u:p@a:7/db', 'u:p@b:7/db']);
  t.deepEqual(places('postgres://u:p@/db?host=/var/run'), ['u:p@/var/run:5432/db']);
  t.deepEqual(places('postgres://u:p@%2Fvar%2Frun:7/db'), ['u:p@/var/run:7/db']);
  t.deepEqual(places('postgres://u:a%40%2F%23%3A@h/d%20b?application_name=x%26y'), ['u:a@/#:@h:5432/d b']);
  t.deepEqual(places('postgres://u:a:b@h/db'), ['u:a:b@h:5432/db']);
});

test('whom it wants: the one that takes writes, where there are several', (t) => {
  const wanted = (url: string): string => {
    const parsed = parseDatabaseUrl(url);
    return 'problem' in parsed ? parsed.problem : parsed.wanted;
  };
  t.is(wanted('postgres://h/db'), 'any');
  t.is(wanted('postgres://h,i/db'), 'read-write');
  t.is(wanted('postgres://h,i/db?target_session_attrs=any'), 'any');
  t.is(wanted('postgres://h/db?target_session_attrs=primary'), 'primary');
  for (const one of ['standby', 'read-only', 'prefer-standby', 'sideways'])
    t.regex(wanted(`postgres://h/db?target_session_attrs=${one}`), /this service has to write/);
});

test('what cannot be read is a problem, whose words hold no letter of it', (t) => {
  const secret = 'Xyzzy';
  for (const special of ['/', '#', '@', '?', '%', '@@', '/@', '?a=b@', '#/']) {
    for (const password of [`${secret}${special}${secret}`, `${special}${secret}`, `${secret}${special}`]) {
      const said = places(`postgres://Plugh:${password}@Quux/db`);
      if (typeof said !== 'string') t.fail(`${password} is read as ${said}`);
      else {
        t.regex(said, /percent-encode/, password);
        t.notRegex(said, /Xyzzy|Plugh|Quux/);
      }
    }
  }
  for (const url of ['mysql://h/db', 'postgres://h /db', 'h:5432/db', ''])
    t.regex(String(places(url)), /^must look like postgres:/);
  t.regex(String(places('postgres://h:99999/db')), /port/);
  t.regex(String(places('postgres:///db?host=a,b,c&port=1,2')), /3 hosts and 2 ports/);
});

test('what the URL says of files and options is not lost', (t) => {
  const parsed = parseDatabaseUrl(
    'postgres://h/db?sslmode=verify-full&sslrootcert=/ca&sslkey=&options=-c%20a.b%3Dc',
  );
  if ('problem' in parsed) return t.fail(parsed.problem);
  t.deepEqual(parsed.files, [{ name: 'sslrootcert', path: '/ca' }]);
  t.is(parsed.options, '-c a.b=c');
  t.regex(parsed.of({ host: 'h', port: 5432 }), /sslmode=verify-full&sslrootcert=%2Fca/);
  t.notRegex(parsed.of({ host: 'h', port: 5432 }), /options/);
});

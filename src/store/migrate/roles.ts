// `migrate --roles`: roles with the least privileges that do, as SQL for a person to read and run.
import { FUNCTIONS, OUTBOX_FUNCTIONS, OUTBOX_TABLES, type Privileges, TABLES } from '../privileges.js';
import { OWN_SCHEMA } from './session.js';

const KINDS = ['run', 'status'] as const;
type Kind = (typeof KINDS)[number];

const roleName = (prefix: string, kind: Kind | 'migrate'): string => `${prefix}_${kind}`;

type Granted = Readonly<Record<string, Privileges>>;

function grants(role: { prefix: string; kind: Kind }, tables: Granted, functions: Granted): string[] {
  const { prefix, kind } = role;
  const grant = (object: string, what: string | undefined): string[] =>
    what === undefined ? [] : [`grant ${what} on ${object} to ${roleName(prefix, kind)};`];
  return [
    ...Object.entries(tables).flatMap(([table, { [kind]: what, besides }]) => [
      ...grant(table, what),
      ...(kind === 'run' ? grant(table, besides) : []),
    ]),
    ...Object.entries(functions).flatMap(([name, { [kind]: what }]) => grant(`function ${name}`, what)),
  ];
}

const indented = (lines: readonly string[]): string => lines.map((line) => `  ${line}`).join('\n');

/** For psql. It may run again, and has to after each upgrade. */
export function printRoles(prefix: string): string {
  const migrate = roleName(prefix, 'migrate');
  const [run, status] = [roleName(prefix, 'run'), roleName(prefix, 'status')];
  return `-- canton-submitter migrate --roles: read it, then apply it as a superuser with psql -v ON_ERROR_STOP=1; before the first
-- migrate, after it, and after each upgrade, since privileges on our tables need the tables.
--   ${migrate}: migrate, prune. A member of the role that owns mempool and users; only for people.
--   ${run}: run, doctor, replay. It cannot insert or delete a row, nor change a user.
--   ${status}: status, show. It reads the queue and its history, and neither users nor their keys.
-- Then give each a password (\\password), or another way to log in.
begin;
${OWN_SCHEMA} as search_path;

do $$ declare
  v_role text;
begin
  foreach v_role in array array['${migrate}', '${run}', '${status}'] loop
    if not exists (select from pg_roles where rolname = v_role) then
      execute format('create role %I login', v_role);
    end if;
  end loop;
end $$;

-- all of them see the schemas; migrate acts as the owner of the tables
do $$ declare
  v_table record;
begin
  for v_table in select c.relname, r.rolname as owner, r.rolsuper, c.relnamespace::regnamespace as schema
      from pg_class c join pg_roles r on r.oid = c.relowner
     where c.oid in (to_regclass('mempool'), to_regclass('users')) loop
    execute format('grant usage on schema %s to ${migrate}, ${run}, ${status}', v_table.schema);
    if v_table.rolsuper then
      raise warning '% belongs to %, a superuser, as which ${migrate} should not act: give it another owner',
        v_table.relname, v_table.owner;
    else
      execute format('grant %I to ${migrate}', v_table.owner);
    end if;
  end loop;
  execute format('grant create on schema %I to ${migrate}', current_schema());
end $$;

do $$ begin
  if to_regclass('mempool_submitter_v1') is null then
    raise notice 'apply this once more after migrate: our tables are not there yet';
    return;
  end if;
${indented(KINDS.flatMap((kind) => [`-- ${kind}`, ...grants({ prefix, kind }, TABLES, FUNCTIONS)]))}
  -- where outcomes are pinned
  if to_regclass('mempool_outbox_v1') is null then return; end if;
${indented(KINDS.flatMap((kind) => [`-- ${kind}`, ...grants({ prefix, kind }, OUTBOX_TABLES, OUTBOX_FUNCTIONS)]))}
end $$;
commit;

-- Not needed: with it, run and doctor can say for how long somebody else has kept a transaction open.
-- grant pg_read_all_stats to ${run};
`;
}

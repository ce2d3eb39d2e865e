/**
 * The lint rules, and the walls between folders. Everything is an error except the two rules on size: they ask whether
 * one file or function does two jobs, and do not force a cut.
 */
import { readdirSync } from 'node:fs'
import { defineConfig, type OxlintOverride } from 'oxlint'

/** Imports that a folder must not make. The message says where the code belongs instead. */
interface Wall {
  regex?: string
  group?: string[]
  /** Absent: everything that the module exports. */
  importNames?: string[]
  message: string
}

const app: Wall = {
  regex: '(^|/)apps/|^@imapfleet/(edge-proxy|control|cli|console)(/|$)',
  message:
    'An app is a process, not a library. Move shared code to a package; tests and scripts start the process.',
}
const inside: Wall = {
  regex: '^@imapfleet/[a-z-]+/src/|^\\.\\.?/(.*/)?src/',
  message:
    'Import a workspace by its name (@imapfleet/config), and export from its index what is missing there.',
}
const local: Wall = {
  regex: '^@imapfleet/local(/|$)',
  message:
    'packages/local starts real servers for tests and quickstart. Move what apps and packages need to another package.',
}
const localInTests: Wall = {
  regex: '^@imapfleet/local$',
  message:
    'Unit tests import only @imapfleet/local/temporary-directory. A test that starts servers belongs in tests/.',
}
const localInServiceTests: Wall = {
  regex: '^@imapfleet/local$',
  message:
    'Unit tests of control import only @imapfleet/local/in-tests. A test of whole processes belongs in tests/.',
}
const nats: Wall = {
  regex: '^(@nats-io/|@imapfleet/nats$)',
  message:
    'In the edge only fleet/ uses NATS, so that mail flows without it. Put NATS code in fleet/ and let it call ops/.',
}
const natsInControl: Wall = {
  regex: '^(@nats-io/|@imapfleet/nats$)',
  message: 'Only features/ and platform/nats/ of control use NATS.',
}
const throughRuntime =
  'Time, timers and chance of the edge come from runtime.ts, so that the simulation can repeat a run. The wall clock is context.clock.wall().'
const timers: Wall = { regex: '^(node:)?(timers|perf_hooks)(/|$)', message: throughRuntime }
const chance: Wall = {
  regex: '^(node:)?crypto$',
  importNames: ['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'webcrypto'],
  message: throughRuntime,
}
const hostTime: Wall = {
  regex: '^(node:)?(os|process)$',
  importNames: ['uptime', 'hrtime', 'nextTick'],
  message: throughRuntime,
}
const names: Wall = {
  regex: '^(node:)?dns(/|$)',
  importNames: ['lookup', 'lookupService', 'resolve', 'resolve4', 'resolve6', 'Resolver'],
  message: 'Names are looked up by the network of the context (net/network.ts).',
}
/** What the simulation replaces. */
const replaced = [timers, chance, hostTime, names]
const simulation: Wall = {
  group: ['../**/sim/**'],
  message: 'The simulation imports the edge, never the other way round.',
}
const edgeParser: Wall = {
  regex: '/src/imap/',
  message: 'Simulated servers and clients are written without the parser of the edge, which they test.',
}
const sql: Wall = {
  regex: '^(drizzle-orm|postgres)(/|$)',
  message: 'Only queries and tables of features/, and platform/db/, use SQL. Add a query to queries.ts.',
}
/** The folders of the edge from the lowest to the highest: what each holds, and which folders it imports from. */
const edgeFolders: Record<string, { holds: string; imports: string[] }> = {
  imap: { holds: 'IMAP grammar', imports: [] },
  ahead: { holds: 'what clients ask next', imports: [] },
  observe: { holds: 'counters, log and trace', imports: ['imap'] },
  net: { holds: 'sockets, TLS and listeners', imports: ['imap', 'observe'] },
  server: { holds: 'connections to mail servers', imports: ['imap', 'ahead', 'observe', 'net'] },
  client: { holds: "the client's end before login", imports: ['imap', 'observe', 'net'] },
  pool: { holds: 'leases and the register of connections', imports: ['imap', 'observe', 'net', 'server'] },
  splice: { holds: 'the two joined ends', imports: ['imap', 'ahead', 'observe', 'net', 'server'] },
  session: {
    holds: 'the life of a session',
    imports: ['imap', 'observe', 'net', 'server', 'client', 'pool', 'splice'],
  },
  ops: {
    holds: 'operations on a running edge',
    imports: ['imap', 'observe', 'net', 'server', 'client', 'pool', 'splice', 'session'],
  },
  edge: {
    holds: 'starting, reloading and stopping',
    imports: ['imap', 'observe', 'net', 'server', 'client', 'pool', 'splice', 'session', 'ops'],
  },
  fleet: { holds: 'orders, reports and desired state', imports: ['observe', 'ops', 'edge'] },
  doctor: {
    holds: 'checks of an installation',
    imports: ['imap', 'observe', 'net', 'server', 'edge'],
  },
}

/** Single files that a folder may import besides. */
const edgeOpen: Record<string, string[]> = {
  session: ['edge/context.ts', 'ops/xproxy.ts'],
  ops: ['edge/context.ts'],
}

function edgeWalls(): OxlintOverride[] {
  return Object.entries(edgeFolders).map(([folder, { imports }]) => {
    const walls = Object.entries(edgeFolders)
      .filter(([other]) => other !== folder && !imports.includes(other))
      .map(([other, { holds }]): Wall => {
        const open = edgeOpen[folder]?.filter((file) => file.startsWith(`${other}/`)) ?? []
        const allowed = [...imports, 'packages'].join(', ')
        return {
          group: [`../**/${other}/**`, ...open.map((file) => `!../**/${file}`)],
          message: `${folder}/ imports from ${allowed}, not from ${other}/ (${holds}). Move what both need down, or pass it to ${folder}/ as a value or a callback.`,
        }
      })
    return walled(
      [`apps/edge-proxy/src/${folder}/**`],
      [app, inside, local, main, ...walls, ...replaced, simulation, ...(folder === 'fleet' ? [] : [nats])],
    )
  })
}

const main: Wall = {
  group: ['../**/main.ts'],
  message: 'main.ts starts the process. Move what you need out of it.',
}
const pure: Wall = {
  regex:
    '^\\.\\./|^@imapfleet/|^node:(net|tls|http|https|dns|dgram|fs|os|process|timers|events|stream|worker_threads|child_process)(/|$)',
  message:
    'imap/ and ahead/ are pure: bytes or text in, facts out. Sockets, clocks, configuration and logs belong to their callers in net/, server/, client/ and splice/.',
}

function lowest(name: string): Wall {
  return {
    regex: '^@imapfleet/|(^|/)(apps|packages|src)/',
    message: `packages/${name} imports no other workspace. Move what you need into packages/${name}.`,
  }
}

const apiImports: Wall = {
  regex: '^@imapfleet/(nats|client|local)(/|$)|^@hono/|^hono(/|$)',
  message: 'packages/api is data: schemas and the table of routes. Control and the client act on it.',
}
const browser: Wall = {
  regex: '^node:',
  message: 'The console imports this package and runs in a browser. Take a value or a function instead.',
}

/**
 * What features of control may do besides. `imports`: files of other features besides their service.ts, for services that
 * would import each other. `sql`: files with SQL besides queries.ts and table.ts.
 */
const controlExceptions: Record<string, { imports?: string[]; sql?: string[] }> = {
  alerts: { imports: ['edges/hearing.ts'], sql: ['message-queries.ts'] },
  config: { imports: ['edges/queries.ts', 'rollouts/queries.ts'] },
  desired: {
    imports: [
      'config/queries.ts',
      'edges/queries.ts',
      'revocations/queries.ts',
      'rollouts/queries.ts',
      'traces/queries.ts',
    ],
  },
  edges: {
    imports: ['config/queries.ts', 'desired/applied.ts', 'rollouts/queries.ts'],
    sql: ['hearing.ts', 'ingest-queries.ts'],
  },
  operations: { imports: ['edges/hearing.ts', 'edges/queries.ts', 'rollouts/health.ts'] },
  orders: { imports: ['edges/queries.ts', 'operations/queries.ts'] },
  people: { imports: ['access/cookie.ts', 'access/queries.ts'] },
  revocations: { imports: ['edges/queries.ts'] },
  rollouts: {
    imports: ['config/queries.ts', 'config/revision-view.ts', 'edges/hearing.ts', 'edges/queries.ts'],
  },
}

/** Every folder has the walls, also a new one. */
const controlFeatures = readdirSync(new URL('apps/control/src/features', import.meta.url))
const unknownFeatures = Object.keys(controlExceptions).filter((name) => !controlFeatures.includes(name))
if (unknownFeatures.length > 0) throw new Error(`control has no feature ${unknownFeatures.join(', ')}`)

function controlWalls(): OxlintOverride[] {
  return controlFeatures.flatMap((feature) => {
    const { imports = [], sql: sqlFiles = [] } = controlExceptions[feature] ?? {}
    const folder = `apps/control/src/features/${feature}`
    const others = (...files: string[]): Wall => ({
      group: ['../*/**', '!../../**', ...[...imports, ...files].map((file) => `!../${file}`)],
      message:
        'A feature imports only service.ts of another feature. Export there what is missing. If the two services would then import each other, name the queries in oxlint.config.ts.',
    })
    return [
      walled([`${folder}/**`], [app, inside, local, others('*/service.ts'), sql]),
      walled(
        ['queries.ts', ...sqlFiles].map((file) => `${folder}/${file}`),
        [app, inside, local, others('*/service.ts', '*/table.ts')],
      ),
      walled([`${folder}/table.ts`], [app, inside, local, others('*/table.ts')]),
      walled(
        [`${folder}/{routes,*-routes}.ts`],
        [app, inside, local, others('*/service.ts'), sql, ownQueries],
      ),
    ]
  })
}

const ownQueries: Wall = {
  regex: '^\\./(queries|table)\\.ts$',
  message: 'Routes call the service, and the service calls queries. Add a function to service.ts.',
}

/** mkdtemp would leave its directory behind when a test or benchmark is interrupted. */
const mkdtemp = ['node:fs', 'node:fs/promises', 'fs', 'fs/promises'].map((name) => ({
  name,
  importNames: ['mkdtemp', 'mkdtempSync', 'mkdtempDisposable', 'mkdtempDisposableSync'],
  message:
    'Call temporaryDirectory of @imapfleet/local/temporary-directory: it removes the directory in every case.',
}))

function walled(files: string[], patterns: Wall[]): OxlintOverride {
  return { files, rules: { 'no-restricted-imports': ['error', { paths: mkdtemp, patterns }] } }
}

/** A later row replaces an earlier one for the same file, so each row names all its walls. */
const walls: OxlintOverride[] = [
  walled(['packages/**', 'tests/**', 'scripts/**'], [app, inside]),
  walled(['packages/{nats,client}/**'], [app, inside, local]),
  walled(['packages/api/**'], [app, inside, apiImports, browser]),
  walled(['packages/api/**/*.test.ts'], [app, inside, apiImports]),
  walled(['packages/client/**'], [app, inside, local, browser]),
  walled(['packages/client/**/*.{test,test-support}.ts'], [app, inside, local]),
  walled(['packages/retry/**'], [lowest('retry'), browser]),
  walled(['packages/retry/**/*.test.ts'], [lowest('retry')]),
  walled(['packages/config/**'], [lowest('config')]),
  walled(['packages/observe/**'], [lowest('observe'), browser]),
  walled(
    ['packages/protocol/**'],
    [
      app,
      inside,
      {
        regex: '^@imapfleet/(nats|client|api|local)(/|$)',
        message: 'packages/protocol holds messages and imports only packages/observe and packages/config.',
      },
    ],
  ),
  walled(['apps/edge-proxy/src/*'], [app, inside, local, nats, ...replaced]),
  walled(['apps/edge-proxy/src/runtime.ts'], [app, inside, local, nats]),
  ...edgeWalls(),
  walled(['apps/edge-proxy/sim/**'], [app, local, nats, edgeParser]),
  walled(['apps/edge-proxy/src/net/system-network.ts'], [app, inside, local, nats]),
  walled(['apps/edge-proxy/src/{imap,ahead}/**'], [app, inside, nats, pure]),
  walled(['apps/control/src/*'], [app, inside, local, { ...natsInControl, regex: '^@nats-io/' }, sql]),
  walled(
    ['apps/control/src/platform/**'],
    [
      app,
      inside,
      local,
      {
        group: ['../**/features/**'],
        message: 'platform/ knows no feature. Pass what it needs as a value or a callback.',
      },
    ],
  ),
  // They collect what the features define.
  walled(['apps/control/src/platform/db/{schema,database}.ts'], [app, inside, local]),
  walled(['apps/control/src/features/**'], [app, inside, local]),
  ...controlWalls(),
  walled(['apps/control/src/**/*.{test,test-support}.ts'], [app, inside, localInServiceTests]),
  walled(
    ['apps/cli/src/**'],
    [
      app,
      inside,
      local,
      {
        regex: '^(@nats-io/|@imapfleet/nats(/|$)|postgres$|drizzle-orm)',
        message: 'The CLI uses the HTTP API only. Add a route to control.',
      },
    ],
  ),
  walled(
    ['apps/console/src/**'],
    [
      app,
      inside,
      local,
      {
        regex: '^(@nats-io/|@imapfleet/nats(/|$)|postgres$|drizzle-orm)',
        message: 'The console uses the HTTP API only. Add a route to control.',
      },
      {
        regex: '^node:',
        message: 'The console runs in a browser. What needs a machine is a route of control.',
      },
    ],
  ),
  walled(['apps/edge-proxy/src/**/*.{test,test-support}.ts'], [app, inside, localInTests]),
  walled(['packages/nats/**/*.test.ts', 'apps/cli/src/**/*.test.ts'], [app, inside, localInTests]),
  walled(['packages/observe/**/*.test.ts'], [lowest('observe')]),
  walled(['apps/console/src/**/*.test.ts'], [app, inside]),
]

export default defineConfig({
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'node'],
  categories: { correctness: 'error', suspicious: 'error' },
  options: { typeAware: true },
  env: { node: true, es2024: true },
  ignorePatterns: ['node_modules', 'dist', 'dist-*', '.run', 'apps/control/drizzle'],
  rules: {
    'typescript/no-floating-promises': [
      'error',
      {
        allowForKnownSafeCalls: [
          { from: 'package', name: ['test', 'describe', 'it', 'suite'], package: 'node:test' },
        ],
      },
    ],
    'typescript/no-misused-promises': 'error',
    'typescript/await-thenable': 'error',
    'typescript/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    'typescript/only-throw-error': 'error',
    'typescript/return-await': ['error', 'error-handling-correctness-only'],
    'typescript/no-explicit-any': 'error',
    eqeqeq: 'error',
    'no-console': 'error',
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'node/no-process-env': 'error',
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'max-lines': ['warn', { max: 600 }],
    'max-lines-per-function': ['warn', { max: 150, skipBlankLines: true, skipComments: true }],
    'typescript/no-unsafe-type-assertion': 'off',
    'typescript/consistent-return': 'off',
    'import/no-named-as-default-member': 'off',
    'import/no-unassigned-import': 'off',
    'no-control-regex': 'off',
    'no-unmodified-loop-condition': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/no-array-sort': 'off',
    'unicorn/no-array-reverse': 'off',
    'unicorn/no-thenable': 'off',
    'unicorn/no-useless-spread': 'off',
  },
  overrides: [
    ...walls,
    {
      files: ['apps/edge-proxy/src/**'],
      rules: {
        'no-restricted-globals': [
          'error',
          ...[
            'setTimeout',
            'setInterval',
            'setImmediate',
            'clearTimeout',
            'clearInterval',
            'clearImmediate',
            'queueMicrotask',
            'performance',
            'crypto',
          ].map((name) => ({ name, message: throughRuntime })),
        ],
        'no-restricted-properties': [
          'error',
          { object: 'Date', property: 'now', message: throughRuntime },
          { object: 'Math', property: 'random', message: throughRuntime },
          { object: 'AbortSignal', property: 'timeout', message: throughRuntime },
          { object: 'process', property: 'nextTick', message: throughRuntime },
          { object: 'process', property: 'hrtime', message: throughRuntime },
          { object: 'process', property: 'uptime', message: throughRuntime },
        ],
      },
    },
    {
      files: ['apps/edge-proxy/src/runtime.ts', 'apps/edge-proxy/src/**/*.{test,test-support}.ts'],
      rules: { 'no-restricted-globals': 'off', 'no-restricted-properties': 'off' },
    },
    {
      files: [
        'apps/*/src/main.ts',
        // What two processes of an edge, and systemd, pass in the environment.
        'apps/edge-proxy/src/net/inherited-sockets{,.test}.ts',
        'apps/edge-proxy/src/edge/{successor,service-manager}.ts',
        'packages/local/**',
        'tests/**',
        'scripts/**',
      ],
      rules: { 'node/no-process-env': 'off' },
    },
    {
      files: ['tests/**', 'packages/local/**', 'scripts/**'],
      rules: { 'no-console': 'off', 'typescript/unbound-method': 'off' },
    },
    { files: ['packages/local/src/temporary-directory.ts'], rules: { 'no-restricted-imports': 'off' } },
    { files: ['**/*.test.ts'], rules: { 'max-lines-per-function': 'off' } },
    { files: ['**/*.config.ts', 'apps/console/**'], rules: { 'import/no-default-export': 'off' } },
  ],
})

/** The environment variables. Only this file of the workspace reads them. */
/* oxlint-disable node/no-process-env */

/** External services, and programs in unusual places. Undefined: not set, or empty. */
export const environment = {
  natsUrl: process.env['NATS_URL'] || undefined,
  natsTokenFile: process.env['NATS_TOKEN_FILE'] || undefined,
  natsServerProgram: process.env['NATS_SERVER_BIN'] || undefined,
  databaseUrl: process.env['DATABASE_URL'] || undefined,
  /** What was made for the tests: bundles, and a database. */
  prepared: process.env['IMAPFLEET_PREPARED'] || undefined,
  programDirectories: (process.env['PATH'] ?? '').split(':').filter((directory) => directory !== ''),
}

/** The environment of a child: ours with these changes. Undefined removes a variable. */
export const childEnvironment = (added: Record<string, string | undefined>): NodeJS.ProcessEnv => ({
  ...process.env,
  ...added,
})

/** What the environment says: the only place of this workspace that reads it. */
/* oxlint-disable node/no-process-env */

/** Services that run already, and programs in unusual places. Undefined: not set, or empty. */
export const environment = {
  natsUrl: process.env['NATS_URL'] || undefined,
  natsTokenFile: process.env['NATS_TOKEN_FILE'] || undefined,
  natsServerProgram: process.env['NATS_SERVER_BIN'] || undefined,
  databaseUrl: process.env['DATABASE_URL'] || undefined,
  programDirectories: (process.env['PATH'] ?? '').split(':').filter((directory) => directory !== ''),
}

/** The environment of a child: ours and what is given; undefined takes a variable away. */
export const childEnvironment = (added: Record<string, string | undefined>): NodeJS.ProcessEnv => ({
  ...process.env,
  ...added,
})

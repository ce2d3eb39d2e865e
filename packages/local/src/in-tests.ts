/** What unit tests may start: real services that are ready in about a second. */
export { layGround } from './ground.ts'
export { natsServer, type Nats } from './nats-server.ts'
export { postgresServer } from './postgres.ts'
export { SmtpSink } from './smtp-sink.ts'
export { removeTemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'

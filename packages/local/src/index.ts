/** Exports of @imapfleet/local: real parts on one machine. */
export { type PartProgress } from './bring-up.ts'
export { controlPlane, keepToken, type ControlProcess, type ControlProcessOptions } from './control.ts'
export { findProgram, installPackage, unpackPackage } from './debian.ts'
export { dovecotServer, findDovecot, type Dovecot, type DovecotOptions, type MailUser } from './dovecot.ts'
export { enrollByApi, type Enroller } from './enrolment.ts'
export { edgeProxy, type EdgeProcess, type EdgeOptions, type Upstream } from './edge.ts'
export { layGround, ownDirectory, type Ground } from './ground.ts'
export { runToEnd } from './launch.ts'
export { stopLeftovers } from './leftover.ts'
export { LocalError, messageOf } from './local-error.ts'
export { messagesFor, type MailboxKind, type Message } from './mailbox.ts'
export { findNatsServer, natsServer, type Nats, type NatsOptions } from './nats-server.ts'
export { edgeEnvironment, edgeNodeFlags, node, repository, runDirectory } from './paths.ts'
export { freePort } from './ports.ts'
export { copyPreparedDatabase, prepareDatabase, preparedTokenName } from './prepared-database.ts'
export { postgresServer, type Postgres, type PostgresOptions } from './postgres.ts'
export { compiledCode, programFiles, sources } from './program-files.ts'
export { LocalProcess, type Exit, type ProcessSpec } from './process.ts'
export {
  keepTemporaryDirectory,
  removeTemporaryDirectory,
  temporaryDirectory,
} from './temporary-directory.ts'
export { SmtpSink } from './smtp-sink.ts'
export { startStack, type StackEdge, type Stack, type StackOptions } from './stack.ts'

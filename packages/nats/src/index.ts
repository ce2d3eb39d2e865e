/** Entry point of @imapfleet/nats. */
export {
  connectOnce,
  connectOptions,
  credentialsAuthenticator,
  readAccess,
  type NatsAccess,
  type NatsFiles,
} from './access.ts'
export { isNatsError } from './errors.ts'
export { NatsLink, type NatsHandles, type LinkHandlers } from './link.ts'

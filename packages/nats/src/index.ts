/** Entry point of @imapfleet/nats. */
export {
  connectOnce,
  connectOptions,
  credentialsAuthenticator,
  readAccess,
  type NatsAccess,
  type NatsFiles,
} from './access.ts'
export { isLoginRefusal, isNatsError, isTooLarge, sendRefusalIn, type SendRefusal } from './errors.ts'
export { NatsClient, type NatsHandles, type NatsClientHandlers } from './nats-client.ts'
export { checkExpiry } from './check-expiry.ts'
export { tryRights, type Rights, type TriedRights } from './try-rights.ts'

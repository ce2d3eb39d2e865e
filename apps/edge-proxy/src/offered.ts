/** What a client is shown before its login says which server it goes to: what holds at all where it may end up. */
import { commonCapabilities } from './imap/capability.ts'
import { mechanisms, type Mechanism } from './imap/sasl.ts'
import type { Target } from './upstream/target.ts'

export const offeredCapabilities = (targets: readonly Target[]): readonly string[] =>
  commonCapabilities(targets.map(({ capabilities }) => capabilities))

/** A token is no use at a server that takes none; a password is said to each server in the form that it takes. */
export const offeredMechanisms = (targets: readonly Target[]): readonly Mechanism[] =>
  mechanisms.filter(
    (name) =>
      name === 'PLAIN' ||
      name === 'LOGIN' ||
      targets.every((target) => target.mechanisms?.includes(name) ?? true),
  )

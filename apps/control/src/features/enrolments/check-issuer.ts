/** The check of the issuer: its keys are usable, and nats-server knows the account that it signs. */
import { isLoginRefusal, type NatsAccess } from '@imapfleet/nats'
import { findingsAbout, reasonOf, type CheckFinding } from '@imapfleet/observe'
import { Issuer, type IssuerFile } from './issuer.ts'
import { asSystem } from './system.ts'

export async function checkIssuer(access: NatsAccess, file: IssuerFile | undefined): Promise<CheckFinding[]> {
  const { ok, fail } = findingsAbout('issuer')
  if (!file) return [ok('NATS_ISSUER_FILE is not set: all edges share one token or credential')]
  try {
    const account = await asSystem(access, new Issuer(file), async (system) => await system.read())
    if (account) return [ok('nats-server knows the account that it signs')]
    return [fail('nats-server does not know the account of the edges', remedy)]
  } catch (error) {
    const cause = isLoginRefusal(error) ? remedy : 'see the checks of NATS'
    return [fail(`cannot be used: ${reasonOf(error)}`, cause)]
  }
}

const remedy =
  'NATS_ISSUER_FILE and the accounts.conf of nats-server must come from the same imapfleet-control nats init'

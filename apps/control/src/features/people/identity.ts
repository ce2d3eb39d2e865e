/** Parses the claims about a person: subject, name and groups. The token was verified, but its claims are untrusted input. */
import { ServiceError } from '../../platform/errors.ts'

export interface Identity {
  /** The issuer and the subject. It stays the same if the name changes. */
  key: string
  /** As the audit log shows it. It always contains an @. */
  name: string
  groups: readonly string[]
}

export interface ClaimNames {
  issuer: string
  nameClaim: string
  groupsClaim: string
}

export type PersonClaims = Readonly<Record<string, unknown>>

const nameMax = 200
const subjectMax = 255
/** Without spaces and invisible characters, so that two names that look the same are the same. */
const isName = (text: string) => /^[^\s\p{C}]+$/u.test(text) && text.length <= nameMax

/** Throws `identity_invalid`. */
export function readIdentity(claims: PersonClaims, { issuer, nameClaim, groupsClaim }: ClaimNames): Identity {
  const { sub } = claims
  if (
    typeof sub !== 'string' ||
    sub === '' ||
    sub.length > subjectMax ||
    !sub.isWellFormed() ||
    sub.includes('\0')
  )
    throw invalid('The provider sent no usable subject (sub).')
  return {
    key: `${issuer} ${sub}`,
    name: nameOf(claims, nameClaim, new URL(issuer).host),
    groups: groupsOf(claims, groupsClaim),
  }
}

function nameOf(claims: PersonClaims, claim: string, host: string): string {
  const name = verified(claims, claim)
  if (typeof name !== 'string' || !isName(name.normalize('NFC')))
    throw invalid(`The provider sent no usable name in the claim ${claim}.`)
  const text = name.normalize('NFC')
  return text.includes('@') ? text : `${text}@${host}`
}

/** A list of names. Some providers send a single name as a string. */
function groupsOf(claims: PersonClaims, claim: string): string[] {
  const groups = verified(claims, claim)
  if (groups === undefined) {
    const elsewhere = claims['_claim_names']
    if (typeof elsewhere === 'object' && elsewhere !== null && Object.hasOwn(elsewhere, claim))
      throw invalid(
        `The provider left out your groups (${claim}), because there are too many: configure it to send only the groups that imapfleet needs.`,
      )
    return []
  }
  const list = typeof groups === 'string' ? [groups] : groups
  if (!Array.isArray(list) || !list.every((group): group is string => typeof group === 'string'))
    throw invalid(`The claim ${claim} of the provider is not a list of names.`)
  return list
}

/** At some providers users can enter any mail address, so control refuses unverified addresses. */
function verified(claims: PersonClaims, claim: string): unknown {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  if (claim === 'email' && value !== undefined && claims['email_verified'] !== true)
    throw invalid('The provider has not verified your mail address (email_verified).')
  return value
}

const invalid = (sentence: string) =>
  new ServiceError('identity_invalid', `${sentence} Ask an administrator of imapfleet.`)

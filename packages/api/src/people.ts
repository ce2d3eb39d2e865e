/** People, who sign in through the provider of control. The pages at /sign-in are not routes of the API. */
import { z } from 'zod'
import { limitsSchema } from './limits.ts'
import { roleSchema, route } from './route.ts'

const signInWaysSchema = z
  .object({
    /** Null: there is no provider, so people sign in with tokens. */
    provider: z
      .object({
        /** Its name on the button. */
        label: z.string(),
        /** The address that starts a sign-in. The parameter `to` is the path of the console to return to. */
        url: z.url(),
      })
      .nullable(),
  })
  .meta({ id: 'SignInWays' })

/** 32 random bytes, or a SHA-256, in base64url. */
const secret = z.string().regex(/^[\w-]{43}$/, 'must be 43 letters, digits, _ and -')

/** Eight letters that a person types. Case, spaces and hyphens make no difference. */
const userCode = z
  .string()
  .max(40)
  .transform((text) => text.toUpperCase().replaceAll(/[\s-]/g, ''))
  .pipe(z.string().regex(/^[A-Z]{8}$/, 'must be eight letters, such as BDFH-KMPR'))

const deviceLoginSchema = z
  .object({
    /** The secret with which the command line polls. */
    deviceCode: secret,
    userCode: z.string(),
    /** The page of the console on which the person enters the code. */
    url: z.url(),
    expiresInSeconds: z.int(),
    /** Between two polls. */
    intervalSeconds: z.int(),
  })
  .meta({ id: 'DeviceLogin' })

const loginProofSchema = z
  .object({
    /** From the loopback, with its verifier. */
    code: secret.optional(),
    verifier: secret.optional(),
    /** Of a device, without the others. */
    deviceCode: secret.optional(),
  })
  .refine(
    ({ code, verifier, deviceCode }) =>
      (code === undefined) !== (deviceCode === undefined) &&
      (code === undefined) === (verifier === undefined),
    'must have either code and verifier, or deviceCode',
  )
  .meta({ id: 'LoginProof' })
export type LoginProof = z.output<typeof loginProofSchema>

const loginOutcomeSchema = z
  .discriminatedUnion('state', [
    /** The person has not agreed yet. */
    z.object({ state: z.literal('pending') }),
    z.object({
      state: z.literal('done'),
      token: z.string(),
      name: z.string(),
      role: roleSchema,
      limits: limitsSchema,
      expiresAt: z.iso.datetime(),
    }),
  ])
  .meta({ id: 'LoginOutcome' })
export type LoginOutcome = z.infer<typeof loginOutcomeSchema>

export const peopleRoutes = {
  readSignInWays: route({
    method: 'GET',
    path: '/v1/sign-in',
    tag: 'session',
    summary: 'How people sign in',
    role: 'none',
    limits: 'none',
    hidden: true,
    answer: signInWaysSchema,
    returns: 'The provider',
  }),
  allowLogin: route({
    method: 'POST',
    path: '/v1/sign-in/cli',
    tag: 'session',
    summary: 'Let the command line on the same machine sign in as the person of the session',
    role: 'viewer',
    limits: 'none',
    hidden: true,
    secret: true,
    /** SHA-256 of the verifier, as in PKCE. */
    body: z.object({ challenge: secret }),
    status: 201,
    answer: z.object({ code: secret }),
    returns: 'A code for the command line',
  }),
  beginDeviceLogin: route({
    method: 'POST',
    path: '/v1/sign-in/device',
    tag: 'session',
    summary: 'Ask for a code that a person enters on another machine',
    role: 'none',
    limits: 'none',
    hidden: true,
    secret: true,
    status: 201,
    answer: deviceLoginSchema,
    returns: 'The codes',
  }),
  allowDeviceLogin: route({
    method: 'POST',
    path: '/v1/sign-in/device/allow',
    tag: 'session',
    summary: 'Let the command line with this code sign in as the person of the session',
    role: 'viewer',
    limits: 'none',
    hidden: true,
    body: z.object({ userCode }),
    status: 204,
    returns: 'The command line can sign in',
  }),
  redeemLogin: route({
    method: 'POST',
    path: '/v1/sign-in/token',
    tag: 'session',
    summary: 'Exchange a code for a token of the person who agreed',
    role: 'none',
    limits: 'none',
    hidden: true,
    secret: true,
    body: loginProofSchema,
    answer: loginOutcomeSchema,
    returns: 'The token, or `pending`',
  }),
  endOwnToken: route({
    method: 'DELETE',
    path: '/v1/sign-in/token',
    tag: 'session',
    summary: 'End the token of a person that the request came with',
    role: 'viewer',
    limits: 'none',
    hidden: true,
    status: 204,
    returns: 'The token has ended',
  }),
  endPerson: route({
    method: 'DELETE',
    path: '/v1/people/{name}',
    tag: 'access',
    summary: 'End all sessions of a person, also those of the command line, effective with the next request',
    description: 'The person can sign in again until the provider refuses it.',
    role: 'admin',
    limits: 'unlimited-only',
    params: z.object({ name: z.string().min(1).max(300) }),
    answer: z.object({ ended: z.int() }),
    returns: 'The number of tokens that were revoked',
  }),
} as const

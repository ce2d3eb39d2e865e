/** Checks of the provider for doctor: it answers, its issuer is the configured one, and it sends the claims. */
import { findingsAbout, reasonOf, type CheckFinding } from '@imapfleet/observe'
import { callbackPath, discover, type ProviderOptions } from './provider.ts'

export async function checkProvider(options: ProviderOptions | undefined): Promise<CheckFinding[]> {
  if (options === undefined) return []
  const { ok, warn, fail } = findingsAbout('provider')
  const { issuer, grants, publicUrl, nameClaim, groupsClaim } = options
  let metadata
  try {
    metadata = (await discover(options)).serverMetadata()
  } catch (error) {
    return [
      fail(
        reasonOf(error),
        `OIDC_ISSUER must be the issuer that the provider announces: curl ${issuer.replace(/\/$/, '')}/.well-known/openid-configuration shows it`,
      ),
    ]
  }
  const claims = metadata.claims_supported
  const missing = [nameClaim, groupsClaim].filter((claim) => claims !== undefined && !claims.includes(claim))
  return [
    ok(`${issuer} answers; its redirect URI for control is ${publicUrl}${callbackPath}`),
    ok(`${grants.length} ${grants.length === 1 ? 'group' : 'groups'} may use imapfleet`),
    ...(missing.length === 0
      ? []
      : [
          warn(
            `the provider does not announce the claim ${missing.join(' and ')}`,
            'if signing in fails, configure the provider to send it, or set OIDC_NAME_CLAIM or OIDC_GROUPS_CLAIM',
          ),
        ]),
  ]
}

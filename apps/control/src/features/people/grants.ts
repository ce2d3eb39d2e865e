/** The rights of the groups of the provider, from the file that OIDC_GROUPS_FILE names. */
import { readFileSync } from 'node:fs'
import {
  isLimited,
  limitsSchema,
  roleSchema,
  scopeSchema,
  type AccessLimits,
  type Role,
  type Scope,
} from '@imapfleet/api'
import { readYaml, wordsOfIssue } from '@imapfleet/config'
import { reasonOf } from '@imapfleet/observe'
import { z } from 'zod'

/** What the members of a group may do. */
export interface Grant {
  group: string
  role: Role
  scopes: Scope[]
  limits: AccessLimits
}

const grantSchema = z
  .strictObject({
    /** Groups of some providers are numbers, which YAML does not read as text. */
    group: z.union([z.string().trim().min(1).max(300), z.int().transform(String)], {
      error: 'must be the name of a group, as the provider sends it',
    }),
    role: roleSchema,
    scopes: z.array(scopeSchema).max(20).default([]),
    ...limitsSchema.shape,
  })
  .transform(({ group, role, scopes, regions, domains }): Grant => ({
    ...{ group, role, scopes },
    limits: { ...(regions && { regions }), ...(domains && { domains }) },
  }))
  .refine(({ role, limits }) => role !== 'admin' || !isLimited(limits), {
    message:
      'must be viewer or operator with regions or domains, because an admin has access to the whole fleet',
    path: ['role'],
  })

const grantsMax = 1_000

const fileSchema = z
  .strictObject({ groups: z.array(grantSchema).min(1).max(grantsMax) })
  .superRefine(({ groups }, context) => {
    const seen = new Set<string>()
    for (const [index, { group }] of groups.entries()) {
      if (seen.has(group))
        context.addIssue({ code: 'custom', path: ['groups', index, 'group'], message: 'is listed twice' })
      seen.add(group)
    }
  })

/** In the order of the file. `fail`: makes the error of a sentence about a mistake. */
export function readGrants(path: string, fail: (problem: string) => Error): Grant[] {
  let text
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw fail(`cannot read ${path}: ${reasonOf(error)}`)
  }
  const yaml = readYaml(text)
  if (!yaml.ok)
    throw fail(
      `${path}: ${yaml.problems.map(({ line, message }) => `line ${line ?? 1}: ${message}`).join('; ')}`,
    )
  const parsed = fileSchema.safeParse(yaml.data ?? {}, { error: wordsOfIssue })
  if (parsed.success) return parsed.data.groups
  const problems = parsed.error.issues.map(({ path: key, message }) => {
    const at = key.map(String)
    const line = yaml.lineOf(at)
    return `${line === undefined ? '' : `line ${line}: `}${at.join('.') || 'the file'} ${message}`
  })
  throw fail(`${path}: ${problems.join('; ')}`)
}

/** The first entry of the file with one of these groups. */
export function grantOf(grants: readonly Grant[], groups: readonly string[]): Grant | undefined {
  const its = new Set(groups)
  return grants.find(({ group }) => its.has(group))
}

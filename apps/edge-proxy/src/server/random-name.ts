/** Unguessable tags and mailbox names: 96 bits each. */
import { runtime } from '../runtime.ts'

export const randomName = (prefix: string): string => prefix + runtime.randomName()

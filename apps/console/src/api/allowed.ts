/** Refusals of control: missing rights, and names that do not exist. */
import { ProblemError } from '@imapfleet/client'

/** Whether the token of the user does not allow the request. To try again does not help. */
export const isForbidden = (error: unknown): boolean => error instanceof ProblemError && error.status === 403

/** Whether control has nothing of this name. It may come later. */
export const isMissing = (error: unknown): boolean => error instanceof ProblemError && error.status === 404

/** The answer, or `otherwise` if the token of the user does not allow the request. */
export async function ifAllowed<Answer>(request: Promise<Answer>, otherwise: Answer): Promise<Answer> {
  try {
    return await request
  } catch (error) {
    if (isForbidden(error)) return otherwise
    throw error
  }
}

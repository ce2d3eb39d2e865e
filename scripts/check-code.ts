/** `npm run verify:code`: what neither lint nor types can see in the code. Each complaint is one line that says what to do. */
import { staleComments } from './code/comments.ts'
import { repeatedNames } from './code/repeated-names.ts'
import { unreadKeys } from './code/unread-keys.ts'
import { unsetMetrics } from './code/unset-metrics.ts'
import { report } from './page.ts'

report([...repeatedNames(), ...unsetMetrics(), ...unreadKeys(), ...staleComments()])

/** Who and what may use control and NATS: tokens, and the credentials of edges. */
import { Page } from '../layout/page.tsx'
import { EnrolmentsCard } from './access-enrolments.tsx'
import { TokensCard } from './access-tokens.tsx'
import './access.css'

export const Access = () => (
  <Page
    title="Access"
    about="Tokens for the API, the CLI and this console, and the credentials of edges for NATS."
  >
    <TokensCard />
    <EnrolmentsCard />
  </Page>
)

/** The page for an unknown address. */
import { Page } from '../layout/page.tsx'
import { path } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { Empty } from '../ui/state.tsx'

export const NotFound = () => (
  <Page title="No such page">
    <section class="card">
      <Empty title={`No page at ${path.value}`}>
        Check the address, or start at the <PageLink href="/">overview</PageLink>.
      </Empty>
    </section>
  </Page>
)

/** An address that no page has. */
import { Page } from '../layout/page.tsx'
import { path } from '../router/location.ts'
import { Link } from '../router/link.tsx'
import { Empty } from '../ui/state.tsx'

export const NotFound = () => (
  <Page title="No such page">
    <section class="card">
      <Empty title={`There is nothing at ${path.value}`}>
        It may have been mistyped. <Link href="/">The overview</Link> leads to everything there is.
      </Empty>
    </section>
  </Page>
)

// Who is here, who leads, and since which term.
import { html, nothing } from 'lit-html'
import { agoOf } from './format.ts'
import type { PanelMaker } from './panel.ts'

export const createTabsPanel: PanelMaker = (store, changed) => {
  let said = ''

  async function lead(): Promise<void> {
    said = 'Taking the lead …'
    changed()
    said = await store.leader.force().then(
      () => 'This tab leads now.',
      (error: unknown) => (error as Error).message,
    )
    changed()
  }

  return {
    title: 'Tabs',
    count: () => store.tabs.length,
    view: () => html`
      <dl>
        <div><dt>Term</dt><dd>${store.leader.term}</dd></div>
        <div><dt>Leadership is</dt><dd>${store.leader.guarantee}</dd></div>
        <div><dt>Channel</dt><dd>${store.status.channel}</dd></div>
      </dl>
        <table>
          <caption>${store.tabs.length === 1 ? 'One tab has this store' : `${store.tabs.length} tabs have this store`}</caption>
          <thead><tr><th scope="col">Tab</th><th scope="col">Role</th><th scope="col">Page</th><th scope="col" class="spare">Opened</th><th scope="col">Heard of</th></tr></thead>
          <tbody>
            ${store.tabs.map(
              (tab) => html`<tr>
                <th scope="row">${tab.label}${tab.id === store.tab.id ? html` <b class="mark">this tab</b>` : nothing}</th>
                <td>${tab.isLeader ? html`<b class="mark strong">leader</b>` : 'follower'}</td>
                <td>${tab.visible ? 'visible' : 'hidden'}</td>
                <td class="spare">${agoOf(tab.connectedAt)}</td>
                <td>${tab.id === store.tab.id ? '' : agoOf(tab.lastSeen)}</td>
              </tr>`,
            )}
          </tbody>
        </table>
      <p><button type="button" ?disabled=${store.leader.isLeader} @click=${() => void lead()}>Lead from this tab</button> <span role="status">${said}</span></p>
    `,
  }
}

// The outside identities that may log in as me. Leaves out their names there: the server keeps none.
import { api } from '../api';
import { Confirm } from '../ui/confirm';
import { useListing } from '../ui/hooks';
import { Panel, Row, Rows, When } from '../ui/parts';
import type { Provider } from '../wire';

export function IdentitiesPanel({ providers }: { providers: Provider[] }) {
  const listing = useListing(api.identities);
  const label = (name: string): string => providers.find((provider) => provider.name === name)?.label ?? name;
  const open = providers.filter((provider) => listing.items?.every((identity) => identity.provider !== provider.name) ?? false);
  const link = async (provider: string, password: string): Promise<void> => {
    const { url } = await api.linkIdentity(provider, password);
    const target = new URL(url, window.location.href);
    if (target.protocol !== 'https:' && target.protocol !== 'http:') throw new Error('the provider gave an address that is not a web page');
    window.location.assign(target.href);
  };
  if (providers.length === 0 && listing.items?.length === 0) return null;
  return (
    <Panel title="Linked identities" lead="Accounts elsewhere that you can log in with.">
      <Rows
        listing={listing}
        label="Linked identities"
        empty="None yet."
        row={(identity) => (
          <Row
            key={identity.id}
            title={label(identity.provider)}
            meta={<>Linked <When at={identity.created_at} /></>}
            actions={
              <Confirm
                label="Unlink"
                about={label(identity.provider)}
                title={`Unlink ${label(identity.provider)}?`}
                text="You can no longer log in with it. Make sure that you know your password."
                act={() => api.unlinkIdentity(identity.id)}
                done={listing.reload}
              />
            }
          />
        )}
      />
      {open.length > 0 && (
        <div className="actions">
          {open.map((provider) => (
            <Confirm
              key={provider.name}
              label="Link"
              about={provider.label}
              title={`Link ${provider.label}?`}
              text="Whoever can log in there can then log in here as you."
              password
              act={(password) => link(provider.name, password)}
            />
          ))}
        </div>
      )}
    </Panel>
  );
}

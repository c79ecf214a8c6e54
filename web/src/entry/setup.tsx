// The first start: the person who holds the one-time link becomes the first admin.
// Leaves out every setting; those have their defaults.
import { useState } from 'react';
import { api } from '../api';
import { codeFrom } from '../fragment';
import type { Me } from '../wire';
import { Field } from '../ui/parts';
import { AccountForm } from './account_form';
import { EntryFrame } from './frame';

export function SetupPage({ code, done }: { code: string; done: (me: Me) => void }) {
  const [typed, setTyped] = useState('');
  const held = code !== '';
  return (
    <EntryFrame
      title="Set up Mosaic"
      lead={
        held
          ? 'Welcome. Choose the name and password of the first admin; nobody else can use this link after you.'
          : 'This server has no account yet. When it started it printed a one-time setup link: open that link, or paste it here.'
      }
    >
      <AccountForm
        button="Create the admin"
        fresh
        before={held ? undefined : <Field label="Setup link" value={typed} onValue={setTyped} required autoComplete="off" spellCheck={false} />}
        send={(name, password) => api.setup(held ? code : codeFrom(typed, 'setup'), name, password)}
        done={done}
      />
    </EntryFrame>
  );
}

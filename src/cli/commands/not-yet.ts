/** Verbs that are planned and do not exist yet: they say so. */
import type { Command } from 'commander';
import { HeadraceError } from '../../model/index.ts';

const verbs = [
  ['seed', 'take what a table holds now as sent'],
  ['airbyte', "the connector for Airbyte's protocol"],
] as const;

export function addNotYet(program: Command): void {
  for (const [verb, does] of verbs) {
    program
      .command(verb)
      .description(`${does} (not yet)`)
      .argument('[arguments...]')
      .allowUnknownOption()
      .action(() => {
        throw new HeadraceError('not_yet', `headrace ${verb} does not exist yet.`, {
          remedy: 'headrace --help lists what there is.',
        });
      });
  }
}

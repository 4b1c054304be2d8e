// UserManagementService, as far as a user asks about itself.
import {
  type ListUserRightsRequest,
  ListUserRightsResponse,
  Right,
  RightCanActAs,
  RightCanExecuteAs,
  RightCanReadAs,
  RightCanReadAsAnyParty,
  RightParticipantAdmin,
} from '#proto/com/daml/ledger/api/v2/admin/user_management_service.js';
import { refuse } from '../errors.js';
import type { Host } from '../host.js';
import type { Rights } from '../rights.js';
import { check } from './fields.js';
import { unary } from './gate.js';

const userString = /^[A-Za-z0-9@^$.!`\-#+'~_|:()]{1,128}$/;

export function userManagementService(host: Host) {
  const { userId, administrator } = host.settings;
  return {
    ListUserRights: unary(
      host,
      'UserManagementService/ListUserRights',
      () => ({}),
      (request: ListUserRightsRequest, { state }) => {
        if (request.userId !== '') check('user_id', request.userId, userString);
        // Without authentication there is no authenticated user that an empty id could stand for.
        else if (host.token === null) {
          refuse(
            'INVALID_ARGUMENT',
            'requests with an empty user-id are only supported if there is an authenticated user',
          );
        }
        const asked = request.userId || userId;
        if (asked !== userId) {
          const mayAsk = host.token === null || administrator;
          refuse(
            mayAsk ? 'USER_NOT_FOUND' : 'PERMISSION_DENIED',
            `getting user failed for unknown user "${asked}"`,
            { resources: [['USER', asked]] },
          );
        }
        const rights = rightsOf(host.rights, state.parties());
        if (administrator) rights.push(new Right({ participantAdmin: new RightParticipantAdmin() }));
        return new ListUserRightsResponse({ rights });
      },
    ),
  };
}

/** There is no right to act as any party: each one was granted. */
function rightsOf({ actAs, readAs, executeAs }: Rights, everybody: readonly string[]): Right[] {
  const each = (granted: Rights['actAs']) => (granted === 'any' ? everybody : granted);
  return [
    ...each(actAs).map((party) => new Right({ canActAs: new RightCanActAs({ party }) })),
    ...each(executeAs).map((party) => new Right({ canExecuteAs: new RightCanExecuteAs({ party }) })),
    ...(readAs === 'any'
      ? [new Right({ canReadAsAnyParty: new RightCanReadAsAnyParty() })]
      : readAs.map((party) => new Right({ canReadAs: new RightCanReadAs({ party }) }))),
  ];
}

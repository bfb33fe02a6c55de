// Every screen by its name.
import { arrive, how, say } from './say.js';
import { attract, paused } from './attract.js';
import { corner } from './corner.js';
import { door, walkIn } from './door.js';
import { full } from './deliver.js';
import { pin } from './pin.js';
import { receipt } from './receipt.js';
import { selftest } from './selftest.js';
import { signUp } from './sign_up.js';

export const screens = { arrive, attract, corner, door, full, how, paused, pin, receipt, say, selftest, sign_up: signUp, walk_in: walkIn };

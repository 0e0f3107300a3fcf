import http from 'k6/http';
import { check } from 'k6';

// Twenty requests of one user, five of which the shop refuses.
export const options = {
  vus: 1,
  iterations: 20,
  thresholds: { http_req_failed: ['rate<0.1'] },
};

export default function () {
  const refused = __ITER % 4 === 3;
  const answer = http.get(__ENV.SHOP + (refused ? '/refused' : '/order'),
    { tags: { name: refused ? 'refused' : 'order' } });
  check(answer, { 'is sold': (got) => got.status === 200 });
}

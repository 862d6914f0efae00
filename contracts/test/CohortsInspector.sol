// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cohorts} from "../libraries/Cohorts.sol";
import {Fresh} from "../libraries/Fresh.sol";
import {Ledger} from "../libraries/Ledger.sol";
import {Positions} from "../libraries/Positions.sol";
import {Queue} from "../libraries/Queue.sol";
import {Price} from "../types/Context.sol";
import {House, Keys} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {Cohort, DustSlot, FlowSlot, Market, PoolSlot, Position, State} from "../types/State.sol";

/// @notice Reads a whole market and its accounts at once, for tests. Linked, because it is large.
library CohortsInspector {
    struct Member {
        uint32 account;
        Position stored;
        Position settled;
        int256 cash;
        uint256 haircut;
        int256 balance;
        uint256 current;
        uint256 previous;
        uint256 matured;
    }

    struct CohortView {
        uint16 key;
        Cohort cohort;
        int256 cost; // with haircuts that it has not taken over yet
    }

    struct ClassView {
        uint16 priceClass;
        uint256 lots;
        uint256 profit;
    }

    struct SideView {
        CohortView[] queue;
        ClassView[] classes;
        uint256 fresh;
    }

    struct Inspection {
        Member[] members;
        SideView[2] sides;
        CohortView[] named; // the cohort of every account's stored position
        FlowSlot flow;
        PoolSlot pool;
        DustSlot dust;
        int256 fund;
        uint256 time;
    }

    function inspect(
        State storage s,
        Price memory price,
        uint32[] memory accounts
    ) external view returns (Inspection memory all) {
        Market storage m = s.markets[price.market];
        all.members = new Member[](accounts.length);
        all.named = new CohortView[](accounts.length);
        for (uint256 i = 0; i < accounts.length; i++) {
            all.members[i] = memberOf(s, price, accounts[i]);
            Position memory stored = all.members[i].stored;
            if (stored.lots != 0) all.named[i] = cohortView(m, keyOf(stored));
        }
        for (uint256 i = 0; i < 2; i++) all.sides[i] = sideView(m, price, Side(i));
        all.flow = m.flow;
        all.pool = m.pool;
        all.dust = m.dust;
        all.fund = Ledger.balanceOf(s, House.FUND);
        all.time = block.timestamp;
    }

    function memberOf(
        State storage s,
        Price memory price,
        uint32 account
    ) private view returns (Member memory member) {
        Market storage m = s.markets[price.market];
        member.account = account;
        member.stored = m.positions[account];
        (member.settled, member.cash, member.haircut) = Positions.settledOf(s, price, account);
        member.balance = Ledger.balanceOf(s, account);
        Fresh.Buckets memory buckets = Fresh.settledOf(m, account);
        (member.current, member.previous) = (buckets.current, buckets.previous);
        member.matured = buckets.matured;
    }

    function sideView(
        Market storage m,
        Price memory price,
        Side side
    ) private view returns (SideView memory v) {
        v.fresh = Fresh.pool(m, side);
        CohortView[] memory queue = new CohortView[](64);
        uint256 count = 0;
        Queue.Heads memory heads = Queue.open(m, price, side);
        (uint16 cohort, bool found) = Queue.next(m, heads);
        for (; found; (cohort, found) = Queue.next(m, heads)) {
            queue[count++] = cohortView(m, cohort);
        }
        v.queue = shortened(queue, count);

        ClassView[] memory classes = new ClassView[](count);
        uint256 n = 0;
        (uint256 class, bool any) = Queue.firstClass(m, side);
        for (; any; (class, any) = Queue.nextClass(m, side, class)) {
            uint256 profit = Cohorts.guaranteedProfit(m, price, side, class);
            uint256 lots = m.classes[Keys.classKey(side, class)].lots;
            classes[n++] = ClassView(uint16(class), lots, profit);
        }
        v.classes = new ClassView[](n);
        for (uint256 i = 0; i < n; i++) v.classes[i] = classes[i];
    }

    function cohortView(Market storage m, uint16 key) private view returns (CohortView memory) {
        return CohortView(key, m.cohorts[key], Cohorts.costOf(m, key));
    }

    function shortened(
        CohortView[] memory from,
        uint256 count
    ) private pure returns (CohortView[] memory to) {
        to = new CohortView[](count);
        for (uint256 i = 0; i < count; i++) to[i] = from[i];
    }

    function keyOf(Position memory position) private pure returns (uint16) {
        return
            Keys.cohortKey(
                Keys.sideOfKind(position.kind),
                Keys.leverageOfKind(position.kind),
                Queue.classOf(position.entry)
            );
    }
}

// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Cohorts} from "../libraries/Cohorts.sol";
import {Fresh} from "../libraries/Fresh.sol";
import {Ledger} from "../libraries/Ledger.sol";
import {Positions} from "../libraries/Positions.sol";
import {Tallies} from "../libraries/Tallies.sol";
import {Price, Tally} from "../types/Context.sol";
import {House} from "../types/Keys.sol";
import {Side} from "../types/Side.sol";
import {Market, State} from "../types/State.sol";

/// @notice The steps of an event in one call, for tests: who pays and who is cut is the test's decision.
library CohortsEvents {
    struct Charge {
        Side side;
        uint16 priceClass;
        uint256 amount;
    }

    struct Cut {
        uint16 cohort;
        uint256 lots;
        uint256 discount;
    }

    /// @notice An event: accounts close at mark, profit is charged for the fund, lots close in the cohorts.
    struct Plan {
        uint16 market;
        uint32[] accounts;
        Charge[] charges;
        uint256[2] fresh;
        uint256[2] dust;
        Cut[] cuts;
    }

    function run(State storage s, Price memory price, Plan memory plan) external {
        Market storage m = s.markets[plan.market];
        Tally memory tally;
        for (uint256 i = 0; i < plan.accounts.length; i++) {
            (, , , , tally) = Positions.takeOut(s, price, plan.accounts[i], tally);
        }
        uint256 due = charge(m, plan, tally);
        for (uint256 i = 0; i < 2; i++) {
            Cohorts.takeDust(m, price, Side(i), plan.dust[i], tally);
        }
        for (uint256 i = 0; i < plan.cuts.length; i++) {
            Cut memory c = plan.cuts[i];
            Cohorts.cut(m, price, c.cohort, c.lots, c.discount, tally);
            due += c.discount;
        }
        Ledger.credit(s, House.FUND, int256(due));
        Tallies.store(m, plan.market, tally);
    }

    function charge(
        Market storage m,
        Plan memory plan,
        Tally memory tally
    ) private returns (uint256 due) {
        for (uint256 i = 0; i < plan.charges.length; i++) {
            Charge memory c = plan.charges[i];
            Cohorts.charge(m, plan.market, c.side, c.priceClass, c.amount);
            due += c.amount;
        }
        for (uint256 i = 0; i < 2; i++) {
            Fresh.charge(m, plan.market, Side(i), plan.fresh[i], tally);
            due += plan.fresh[i];
        }
    }
}

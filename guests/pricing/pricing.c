// A pricing function of five numbers, and a fold over what it returns.

#include <math.h>

#define EXPORT(name) __attribute__((export_name(name)))

// The standard normal distribution function.
static double normal(double x) {
    return erfc(-x * M_SQRT1_2) / 2;
}

// What a European call option is worth, by Black and Scholes. Traps if there is
// no such option.
EXPORT("price") double price(double spot, double strike, double rate, double volatility, double years) {
    if (!(spot > 0 && strike > 0 && volatility > 0 && years > 0)) __builtin_trap();
    double deviation = volatility * sqrt(years);
    double d1 = (log(spot / strike) + rate * years) / deviation + deviation / 2;
    return spot * normal(d1) - strike * exp(-rate * years) * normal(d1 - deviation);
}

// How many values there were, their mean, and the sum of their squared
// distances from it: by Welford's method, which does not lose small ones.
struct moments {
    double count, mean, squares;
};

// Takes in one more value. The struct is three results, not a pointer to them.
EXPORT("acc") struct moments acc(double count, double mean, double squares, double value) {
    double distance = value - mean;
    count += 1;
    mean += distance / count;
    return (struct moments){count, mean, squares + distance * (value - mean)};
}

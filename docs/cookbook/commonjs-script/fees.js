const FREE = 100;

exports.feeOf = (amount) => Math.max(0, amount - FREE) / 4;

// As the scripts of Azure's first designer do.
exports.driver_module = { run: () => 'driver' };
exports.init = () => {};
exports.run = () => 'own';

import { broadcast, refuseOtherRows } from './broadcast.ts';
import { axisOf, type Call, type Rule } from './call.ts';
import { convolution, pooled, poolOfAll } from './convolutions.ts';
import { all } from './elementwise.ts';
import { rowBeside } from './movement.ts';
import { contracted, matrixProduct } from './products.ts';
import { dynamic, oneNumber, scaled, scalesOf } from './quantised.ts';
import { plus, ZERO, type Size } from './size.ts';
import { mixed, shaped, unknown, type Shaped } from './value.ts';

/** Tensors are combined entry by entry. All other inputs are one number each. */
const combined =
  (...tensors: readonly number[]): Rule =>
  (call) => {
    for (let index = 0; index < call.count; index++) if (!tensors.includes(index)) oneNumber(call, index);
    const inputs = tensors.map((index) => call.tensor(index));
    return broadcast(inputs);
  };

/** Before version 13 of Softmax, which an attribute names, all axes from one on meet. */
const softmax: Rule = (call) => {
  const data = call.tensor(0);
  const version = call.attributes.int('opset');
  if (version === undefined) throw unknown('its axis is not known');
  oneNumber(call, 1, 2, 3, 4);
  const from = axisOf(call.int('axis', version < 13 ? 1 : -1), data.dims.length);
  const meets = data.row !== undefined && (version < 13 ? data.row.axis >= from : data.row.axis === from);
  if (meets) throw mixed('it normalises rows of different calls');
  return shaped(data.dims, data.row);
};

const channelsLast = (call: Call): boolean => call.int('channels_last', 0) !== 0;

const pool =
  (of: (call: Call, last: boolean) => Shaped): Rule =>
  (call) => {
    oneNumber(call, 1, 2, 3, 4);
    return of(call, channelsLast(call));
  };

/** Each tensor comes with its scale and its zero. */
const joined: Rule = (call) => {
  const places = Array.from({ length: Math.floor((call.count - 2) / 3) }, (_, index) => 2 + index * 3);
  const parts = places.map((index) => call.tensor(index));
  oneNumber(call, 0, 1, ...places.flatMap((index) => [index + 1, index + 2]));
  const [first] = parts;
  if (first === undefined) throw unknown('it joins nothing');
  const axis = axisOf(call.int('axis', 0), first.dims.length);
  let whole: Size | undefined = ZERO;
  for (const { dims } of parts) whole = whole && dims[axis] && plus(whole, dims[axis]);
  const row = rowBeside(parts, axis);
  if (whole === undefined) throw unknown('the size of its result is not known');
  return shaped(first.dims.with(axis, whole), row);
};

const gemm: Rule = (call) => {
  const [one, other] = [call.tensor(0), call.tensor(3)];
  oneNumber(call, 1, 2, 7, 8);
  scalesOf(call, other, 4, 5);
  const labels = [call.int('transA', 0) === 0 ? ['m', 'k'] : ['k', 'm'], call.int('transB', 0) === 0 ? ['k', 'n'] : ['n', 'k']];
  const product = contracted([one, other], labels, ['m', 'n']);
  if (call.has(6)) refuseOtherRows(product, call.tensor(6));
  return product;
};

/** A product of integers whose result is scaled, and may get a bias. */
const toFloat: Rule = (call) => {
  const [one, other] = [call.tensor(0), call.tensor(1)];
  oneNumber(call, 2, 4);
  scalesOf(call, other, 3, 5);
  const product = matrixProduct(one, other);
  if (call.has(6)) refuseOtherRows(product, call.tensor(6));
  return product;
};

/** Operators of ONNX Runtime on quantised numbers. */
export const microsoftQuantised: Readonly<Record<string, Rule>> = {
  ...all(combined(0, 3), 'QLinearAdd QLinearMul'),
  ...all(combined(0), 'QLinearLeakyRelu QLinearSigmoid'),
  ...all(dynamic, 'DynamicQuantizeLSTM DynamicQuantizeMatMul'),
  ...all(scaled, 'DequantizeLinear QuantizeLinear'),
  MatMulIntegerToFloat: toFloat,
  QGemm: gemm,
  QLinearAveragePool: pool(pooled),
  QLinearConcat: joined,
  QLinearConv: (call) => convolution({ image: 0, weights: 3, last: channelsLast(call) })(call),
  QLinearGlobalAveragePool: pool(poolOfAll),
  QLinearSoftmax: softmax,
  QLinearWhere: combined(0, 1, 4),
};

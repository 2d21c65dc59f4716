import { after } from 'node:test';
import { checkClosed } from './checks/closed.ts';
import { checkContents } from './checks/contents.ts';
import { checkExtending } from './checks/extending.ts';
import { checkFunctions } from './checks/functions.ts';
import { checkGpu } from './checks/gpu.ts';
import { checkLifecycle } from './checks/lifecycle.ts';
import { checkPython } from './checks/python.ts';
import { checkPythonContents } from './checks/python-contents.ts';
import { checkRefusals } from './checks/refusals.ts';
import { checkSageMaker } from './checks/sagemaker.ts';
import { Engine } from './engine.ts';
import { buildImages } from './images.ts';

const engine = await Engine.start();
after(() => engine.stop());
const images = await buildImages(engine);

checkExtending(images);
checkRefusals(images);
checkClosed(images);
checkContents(images);
checkLifecycle(images);
checkFunctions(images);
checkGpu(images);
checkPython(images);
checkPythonContents(images);
checkSageMaker(images);

import os
os.makedirs("../model/weights", exist_ok=True)
open("../model/config.json","w").write('{"model_type": "xgboost"}\n')
open("../model/weights/a.json","w").write('{"learner": {}}\n')
open("../model/weights/ü.json","w").write('{"learner": {}, "version": [3, 0, 0]}\n')
